"""What all programs of one machine share: processes, files, certificates, logs, a client of the plane."""
