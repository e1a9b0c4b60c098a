"""What validate-config does: one module for each thing it can be asked."""
