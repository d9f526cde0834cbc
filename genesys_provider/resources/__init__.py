"""The resources that a program declares, and the providers behind them: properties ⇄ models, no HTTP."""
