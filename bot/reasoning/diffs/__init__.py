"""What a diff does: rules that read a code, configuration or schema change as an SRE would."""
