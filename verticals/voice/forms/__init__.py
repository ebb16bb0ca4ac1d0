"""Spoken forms: a closed set of requests (an order, a booking) that is filled in by speaking."""
