"""For each rule, by the name of its module: diffs that it must read, and look-alikes it must not."""
