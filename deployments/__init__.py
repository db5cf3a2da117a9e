"""What runs when: the deployments of each shop, the shared ones of prefect.yaml, and the worker that runs them.

shops      per shop: incremental-sync every 5 minutes, reconcile every night, initial-import on demand; added, changed,
           removed with the shop
shared     the deployments of prefect.yaml
alerts     messages to people: a run failed, no success, more is held
pool       the work pool that they wait in
worker     runs them, all in one warm process
attempt    one of its runs, in a thread of its own
serve      the worker as a process of its home: `python -m deployments.serve`
crashed    runs whose process was killed
late       scheduled runs that piled up while no worker was there
clients      the two systems, asked while a person waits
"""
