"""The casekit command."""
