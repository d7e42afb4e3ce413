"""`python -m regard`: the command line, on the backend that Keras selects."""

import sys

from regard.cli import main

sys.exit(main())
