"""The topics' public contract, made from the models: JSON Schemas, an AsyncAPI document, examples."""
