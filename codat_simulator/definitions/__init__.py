"""What Codat defines: its data types with the properties that queries can name, and the platforms."""
