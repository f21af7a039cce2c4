"""A real control plane as plain processes on loopback: etcd, kube-apiserver, kube-controller-manager, Crossplane."""
