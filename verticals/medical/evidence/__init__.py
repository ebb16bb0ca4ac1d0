"""From ranked passages to evidence: sentences, their support, direction, grade, or none at all."""
