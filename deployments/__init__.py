"""The deployments of each shop, the shared ones of prefect.yaml, and the worker that runs them.

shops        connects, pauses and disconnects a shop, with its block, deployments and alerts
drafts       saves shops as people want them, under one lock
accounts     removes an account that no shop uses
saving       one lock over all changes of shops and accounts
one_shop     the deployments of one shop: its syncs, its nightly reconciliation, its first import
shared       the deployments of prefect.yaml
form_lists   the drop-downs of run forms: shops, statuses
alerts       messages to people: a run failed, no success, more is held
pool         the work pool of all deployments
queues       its work queues, and how many runs of each a worker has at once
worker       runs them, all in one process
run_thread   one of its runs, in a thread of its own
migrating    how Prefect's server migrates its database
serve        the worker as a process of its home: `python -m deployments.serve`
server       Prefect's API server and UI: `python -m deployments.server`
crashed      runs whose process was killed
failed_imports  imports that failed
late         scheduled runs that nobody needs
"""
