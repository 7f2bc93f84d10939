"""`python -m ticklane` is the command `ticklane`."""

import sys

from ticklane.console import main

sys.exit(main())
