"""From commands to changes in the home: which calls, over which connection, done exactly once."""
