"""The command line. `app` puts the commands together, `output` decides what goes where and how a command ends.

Importing a command's module costs next to nothing: whatever is heavy (Prefect, pandas, the clients) is imported
inside the command, and Prefect only after `backend.serving` has set its environment.
"""
