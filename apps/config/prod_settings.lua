return {
  Config = {
    DEBUG = false,
    SQLURI = "sqlite://lua",
  },
}
