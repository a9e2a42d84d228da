"""The service card: tables in, sentences, tables and figures out. It measures nothing that a stage has measured."""
