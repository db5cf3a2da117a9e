"""The command line. `app` combines the commands; `output` prints results and ends commands.

Each command imports what is slow to import (Prefect, pandas, the clients) in its function, so that the command line
starts fast; and Prefect only after `backend.serving` has set its environment.
"""
