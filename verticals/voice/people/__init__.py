"""Who speaks, what they may do and prefer, and what was learned from them; kept encrypted."""
