"""What a program declares, and the providers behind it: properties ⇄ models, no HTTP."""
