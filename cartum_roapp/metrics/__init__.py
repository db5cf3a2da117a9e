"""The metrics for Prometheus: `collectors` reads them from the ledger, `endpoint` serves them over HTTP."""
