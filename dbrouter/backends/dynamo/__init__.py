"""Amazon DynamoDB through boto3."""
