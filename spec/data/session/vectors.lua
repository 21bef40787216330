--- Cookies that Python made; the secret is "dev-secret" and the time 1700000000 unless codec.lua
--- says otherwise.
return {
  alice = "eyJ1c2VyIjoiYWxpY2UifQ.ZVPxAA.vd-8LzQRrvraqY8Yri8sTsUFEPI",
  unicode = ".eJyrVspLzE1VslKKyo8pNTBITVKIKTUyMzAGUmamqaZA0twoGchJsTBOAZKpBgZKOkrFOYnFGUA9ifpJQF4"
    .. "hkBWjFBMTkxdTAjLDPE2pFgB1Ghm4.ZVPxAA.VPdJJXI3wGxOlS6Tk-7sdN9Li8E",
  values = ".eJxFiksKgzAURfdypz7FRO3nbSVkoBhFSKW0EVpC9u7tqJP7PRk7dD9iFCRoeh1BsECXMb6ZNmjdW8G0rVB"
    .. "ju364XG_39p8IRz7NIAj0UJmWGydnxFlxnfdeMEMzPj_58vGlkH48E0su5QTdnSNG.ZVPxAA.zPOUkF-mCVR"
    .. "aX8lvc1-VJG2amVE",
  large = ".eJyrVkpJLElUslKqGAWjYBSMglEwCkbBkAdKtQBfYq0C.ZVPxAA.iRQzIBSHTYFcFqK8w80DYpvLlmY",
  tags_iso = ".eJyrViopLVCyqlZSKFGyijbUUUpU0oFyjGJrY2t1lJLAskBSyTHAIj3RPdtWCSiaCxYFkko2SXZqNvpJdiD"
    .. "RUrAokFQyNDI2MTUzt8BFg1SnlICVpwCVGxkYGesaGuoamoQYGVkZGlsZGegZgIG2gYGVgYFSbS0Acbwo8g."
    .. "ZVPxAA.2JeBGIkEQKOIspvdI9YJYLznk-k",
  tags = ".eJyrViopLVCyqlZSKFGyijbUUUpU0oFyjGJrY2t1lJLAskBSyTHAIj3RPdtWCSiaCxYFkko2SXZqNvpJdiD"
    .. "RUrAokFQyNDI2MTUzt8BFg1SnlICVpwCVh5Sm6igYmij45ZcpGBkYGSsYGVkZGlsZGSi4-4Yo1dYCABJCKYQ"
    .. ".ZVPxAA.aivPzO8CbuMzh55t4gvykA6Cpuw",
  escaped = ".eJyrVqpQsqpWUkjJBFMl8fFKVtGGOkaxtbU6SpXIUimZIDkEPwnEVapSqq0FKa2CaFeyMtQBSilZGdXWAgC"
    .. "jChmc.ZVPxAA.13hYvFReglnkq7ZQsQpVNgKG6Qk",
  flashes = ".eJyrVopPy0kszkgtVrKKrlZSKAFSSrmpxcWJ6alKOkoZmUqxtTow8dSiovwioKhNkl1evo1-kh1QMrYWANr"
    .. "kFTA.ZVPxAA.4kReHlNICvZdYc-IJb-0T9PC9vA",
  permanent = "eyJfcGVybWFuZW50Ijp0cnVlLCJ1aWQiOjd9.ZVPxAA.QstEfjtyZeKZ8KSpRP8WHB0DiTU",
  old_key = "eyJ1c2VyIjoiYm9iIn0.ZVPxAA.vrMIcO4IeHKUhzf048icJ90N_ss",
  new_key = "eyJ1c2VyIjoiYm9iIn0.ZVPxAA.KFEcaPNfPkRoNEhtyryII7NrOgQ",
  unicode_key = "eyJhIjoxfQ.ZVPxAA.4vspfPH79vq66m8KD9Ja6hJ_-uU",
  bytes_key = "eyJhIjoxfQ.ZVPxAA.0RCYtAGf7Krtv6H6do_LcXnKneQ",
  far_time = "eyJhIjoxfQ.ASoF8gA.U2jBxMS4sn5i0jC3aNO3cvgF-4E",
  time_1 = "eyJhIjoxfQ.AQ.s6FW4AoqjoDIN02EaFP-EcpfBZg",
  time_0 = "eyJhIjoxfQ..Oi0vhgOZl5pslro5_vylHjlty8s",
  deflated = ".eJyrVkpJLElUslJKTEKGSrUAbfcIqg.ZVPxAA.qQdZag4fA7thfV1c1Q900zrn7zw",
  not_deflated = "eyJkYXRhIjoiYWJhYmFiYWJhYmFiIn0.ZVPxAA.ofW1w0yvsVCRSvRcD94CHtf47F0",
  unsorted = "eyJ6IjoxLCJhIjoyfQ.ZVPxAA.h-7ZkZQa_dJMdjJ50Dx8oJ1RSxA",
  sorted = "eyJhIjoyLCJ6IjoxLCJcdTAwZTkiOiJcdTAwZmMifQ.ZVPxAA.I6fJ1ATvCz8SAe37lJcBc_pLhlg",
  trailing = ".eJyrVkpUsjKsBQAIKgIJeHg.ZVPxAA.I5sC-90IBXQVtwtW6qt0M46xU-I",
  level_9 = ".eNqrVkpJLElUslKqoANQqgUAwf0yNQ.ZVPxAA.sEfH0Ozk9X7PTw3cIYsOMHIyH2E",
  unreadable = {
    "aGVsbG8.ZVPxAA.-3xs1qB5YRsngITshkEDHGoWkik",
    "WzEsMl0.ZVPxAA.ShddaoV4Oz6jGfJmMJMPoW8I6Jk",
    ".bm96bGli.ZVPxAA.K-vgbdxGADXGyj9DWICZaa_FKGc",
    "eyJhIjoi_yJ9.ZVPxAA.L6BbNCa_hsIuNSA7aZIQcmiFvr0",
    "eyJhIjp7IiB1IjoienoifX0.ZVPxAA.WC9_dl8ZnK-eeNfx_mO7-yfgHsM",
    ".eJyrVkpUsjKsBQAIKg.ZVPxAA.TScx1o8uamPLTJloLWZHcHIHObY",
  },
}
