"""`python -m bot` is the same as `cad-sentinel`."""

import sys
from importlib.metadata import version

from bot.cli import main

try:
    version("cad-sentinel")
    main()
except ModuleNotFoundError as missing:
    sys.exit(
        f"CAD Sentinel is not installed: there is no {missing.name}. In its folder, run"
        " `pip install .` with the Python that starts it."
    )
