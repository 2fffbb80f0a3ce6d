"""From a diagnosis to proposals, each a remediation workflow of its own."""
