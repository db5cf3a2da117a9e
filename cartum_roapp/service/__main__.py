"""The supervisor as a program: python -m cartum_roapp.service [PROGRAM…]"""

import sys

from cartum_roapp.service.supervisor import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
