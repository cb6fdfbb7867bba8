"""Pure drawing: values in, lines out. Knows neither widgets nor the application, so it is tested as strings."""
