# The inputs of all tests in this folder; a test replaces some of them.

settings = {
  image      = { repository = "registry.example/parley", tag = "1.2.3" }
  auth       = "jwks"
  jwks       = { url = "https://issuer.example/keys", issuer = "https://issuer.example", audience = "chat" }
  origins    = ["https://chat.example"]
  partitions = 32
}
regions = {
  first = {
    name         = "east"
    kubeconfig   = "/tmp/east"
    keys_folder  = "/tmp/keys-east"
    nats_url     = "tls://nats.east.example:4222"
    postgres_url = "postgres://db.east.example:5432/chat"
    witness_key  = "UEASTAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
  }
  second = {
    name         = "west"
    kubeconfig   = "/tmp/west"
    keys_folder  = "/tmp/keys-west"
    nats_url     = "tls://nats.west.example:4222"
    postgres_url = "postgres://db.west.example:5432/chat"
    witness_key  = "UWESTAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
  }
}
witness = { urls = ["nats://witness.example:4222"] }
