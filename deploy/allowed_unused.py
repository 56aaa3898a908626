"""Names that vulture cannot see being used: frameworks call them. Each line says which one does."""
