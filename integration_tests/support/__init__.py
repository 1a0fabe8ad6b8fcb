"""What the integration tests share: ways to run the connector, servers, catalogues and sentences."""
