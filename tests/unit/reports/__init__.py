"""What is made of investigations."""
