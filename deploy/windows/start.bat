@echo off
rem Double-click this: installs CAD Sentinel at the first start and after an update, runs it, and
rem starts it again after a crash. "start.bat unattended" never waits for a key.
setlocal
cd /d "%~dp0..\.."
set "PYTHON=.venv\Scripts\python.exe"

if exist "%PYTHON%" goto up_to_date
echo Installing CAD Sentinel; this takes a minute.
set "FOUND="
set "NEW_ENOUGH=import sys; sys.exit(sys.version_info < (3, 11))"
python -c "%NEW_ENOUGH%" >nul 2>nul
if "%ERRORLEVEL%"=="0" set "FOUND=python"
py -3 -c "%NEW_ENOUGH%" >nul 2>nul
if "%ERRORLEVEL%"=="0" set "FOUND=py -3"
if not defined FOUND goto no_python
%FOUND% -m venv .venv
if not "%ERRORLEVEL%"=="0" goto not_installed

:up_to_date
fc /b pyproject.toml .venv\installed.toml >nul 2>nul
if "%ERRORLEVEL%"=="0" goto run
"%PYTHON%" -m pip install --quiet --disable-pip-version-check --editable .
if not "%ERRORLEVEL%"=="0" goto not_installed
copy /y pyproject.toml .venv\installed.toml >nul

:run
"%PYTHON%" -m bot run
set "CODE=%ERRORLEVEL%"
rem 130 and -1073741510: Ctrl-C, at different moments.
if "%CODE%"=="0" goto stopped
if "%CODE%"=="130" goto stopped
if "%CODE%"=="-1073741510" goto stopped
if "%CODE%"=="78" goto bad_configuration
echo CAD Sentinel ended with code %CODE%. It starts again in 10 seconds; close this window to stop it.
rem Not timeout, which refuses to work without a keyboard.
ping -n 11 127.0.0.1 >nul
goto run

:stopped
echo CAD Sentinel has stopped.
exit /b 0

:bad_configuration
echo The configuration cannot be used; the lines above say why. Correct config.toml and start again.
call :wait %1
exit /b 78

:no_python
echo Python 3.11 or newer is missing. Get it from https://www.python.org/downloads/, tick "Add python.exe to PATH", and start this again.
call :wait %1
exit /b 1

:not_installed
echo CAD Sentinel could not be installed; the lines above say why.
call :wait %1
exit /b 1

:wait
if not "%1"=="unattended" pause
exit /b 0
