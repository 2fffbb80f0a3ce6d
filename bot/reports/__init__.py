"""What is told of investigations beyond the thread: answers for machines, charts, digests."""
