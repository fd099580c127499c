"""``python -m weight_decay`` is the command ``wd``."""

import sys

from weight_decay._command import main

if __name__ == "__main__":
    sys.exit(main())
