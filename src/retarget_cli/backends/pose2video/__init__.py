"""Human motion transfer from poses in the wild (Ren et al., 2020): one person, from minutes of film, in two stages."""
