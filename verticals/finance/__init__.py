"""Credit and market risk: prepare, compete, judge, decide, explain, hand over."""
