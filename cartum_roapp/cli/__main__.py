"""`python -m cartum_roapp.cli`: the same as the command `cartum-roapp`."""

import sys

from cartum_roapp.cli.app import main

sys.exit(main())
