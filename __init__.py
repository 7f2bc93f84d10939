"""Market data for a trading process: a bounded mailbox and an actor for every symbol."""
