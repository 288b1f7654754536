"""Google Cloud Firestore, blocking and async."""
