@echo off
rem The same as pulumi-resource-pulumi-python beside it, for Windows: finds the Python that runs the program, and
rem starts `python -m genesys_provider.host`. Kept up to date by `genesys-eventbridge init` too: do not edit a copy.
rem
rem No labels and no blocks: these lines work with either kind of line ends, and with parentheses in paths.
setlocal
set "venv=%PULUMI_RUNTIME_VIRTUALENV%"
if not defined venv if "%PULUMI_RUNTIME_TOOLCHAIN%"=="poetry" for /f "delims=" %%v in ('poetry env info --path') do set "venv=%%v"
if not defined venv if defined UV_PROJECT_ENVIRONMENT set "venv=%UV_PROJECT_ENVIRONMENT%"
if not defined venv set "venv=.venv"

rem Absolute, or relative to the program, or to the project, which has the folder of this script.
set "python="
for %%d in ("%venv%" "%CD%\%venv%" "%~dp0..\%venv%") do if not defined python if exist "%%~d\Scripts\python.exe" set "python=%%~d\Scripts\python.exe"
if not defined python if defined PULUMI_RUNTIME_VIRTUALENV echo There is no virtual environment at '%venv%', where Pulumi.yaml puts it. Run 'pulumi install' to make it. 1>&2
if not defined python if defined PULUMI_RUNTIME_VIRTUALENV exit /b 1

if defined python set "PYTHONHOME="
if not defined python set "python=%PULUMI_PYTHON_CMD%"
if not defined python set "python=python"
"%python%" -u -m genesys_provider.host %*
