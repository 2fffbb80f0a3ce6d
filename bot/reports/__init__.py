"""What is made of finished investigations: charts, figures, drafts."""
