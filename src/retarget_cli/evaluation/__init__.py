"""Measuring methods: data sets, protocols, scores, statistics, reports and user studies."""
