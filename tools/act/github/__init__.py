"""What can be done on GitHub: proposing changes of files, running a deployment again."""
