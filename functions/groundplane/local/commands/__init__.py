"""The commands of a plane on this machine: up, down, status, logs, kubeconfig, binding, exec."""
