"""User studies: a page that asks people, and what they answered."""
