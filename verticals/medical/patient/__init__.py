"""The patient's record: FHIR in, a summary, the facts that matter and an estimate out."""
