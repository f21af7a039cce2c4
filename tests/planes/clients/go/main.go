// Clients of a plane, as controllers are written with client-go. Each prints a line for all that it sees.
//
//	clients lead KUBECONFIG TYPE NAMESPACE NAME   tries to hold the Lease `leader`, records an Event when it does
//	clients watch KUBECONFIG TYPE NAMESPACE       keeps informers of ConfigMaps, Secrets, Namespaces and Leases
//
// TYPE is `json` or `protobuf`. Both end when their input does; who leads lets go of the Lease then.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
)

func main() {
	words := os.Args[1:]
	config, err := clientcmd.BuildConfigFromFlags("", words[1])
	must(err)
	config.ContentType = runtime.ContentTypeJSON
	if words[2] == "protobuf" {
		config.ContentType = runtime.ContentTypeProtobuf
	}
	config.AcceptContentTypes = config.ContentType // nothing else is understood
	config.Wrap(told)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	client := kubernetes.NewForConfigOrDie(config)
	if words[0] == "lead" {
		lead(ctx, client, words[3], words[4])
		return
	}
	watch(ctx, client, config, words[3])
}

// lead holds the Lease as long as it can, and tells of it by both kinds of Events.
func lead(ctx context.Context, client kubernetes.Interface, namespace, name string) {
	old := record.NewBroadcaster()
	old.StartRecordingToSink(&corev1Sink{client, namespace})
	defer old.Shutdown()
	recent := events.NewBroadcaster(&events.EventSinkImpl{Interface: client.EventsV1()})
	must(recent.StartRecordingToSinkWithContext(ctx))
	defer recent.Shutdown()
	oldRecorder := old.NewRecorder(scheme.Scheme, corev1.EventSource{Component: name})
	recorder := recent.NewRecorder(scheme.Scheme, "groundplane.dev/"+name)
	lock := &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Name: "leader", Namespace: namespace},
		Client:     client.CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: name, EventRecorder: oldRecorder},
	}
	leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
		Lock:            lock,
		ReleaseOnCancel: true,
		LeaseDuration:   6 * time.Second,
		RenewDeadline:   4 * time.Second,
		RetryPeriod:     time.Second,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) {
				say("leads")
				about := &corev1.ObjectReference{
					APIVersion: "coordination.k8s.io/v1", Kind: "Lease", Namespace: namespace, Name: "leader",
				}
				for range 3 {
					recorder.Eventf(about, nil, corev1.EventTypeNormal, "Leads", "Elect", "%s leads", name)
				}
			},
			OnStoppedLeading: func() { say("stops") },
			OnNewLeader:      func(leader string) { say("sees " + leader) },
		},
	})
	time.Sleep(time.Second) // the last Events are on their way
}

// corev1Sink is where Events of the core group go.
type corev1Sink struct {
	client    kubernetes.Interface
	namespace string
}

func (s *corev1Sink) Create(event *corev1.Event) (*corev1.Event, error) {
	return s.client.CoreV1().Events(s.namespace).CreateWithEventNamespaceWithContext(context.Background(), event)
}

func (s *corev1Sink) Update(event *corev1.Event) (*corev1.Event, error) {
	return s.client.CoreV1().Events(s.namespace).UpdateWithEventNamespaceWithContext(context.Background(), event)
}

func (s *corev1Sink) Patch(event *corev1.Event, data []byte) (*corev1.Event, error) {
	return s.client.CoreV1().Events(s.namespace).PatchWithEventNamespaceWithContext(context.Background(), event, data)
}

// watch keeps informers, and tells what they hear.
func watch(ctx context.Context, client kubernetes.Interface, config *rest.Config, namespace string) {
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace))
	kinds := map[string]cache.SharedIndexInformer{
		"ConfigMap": factory.Core().V1().ConfigMaps().Informer(),
		"Secret":    factory.Core().V1().Secrets().Informer(),
		"Lease":     factory.Coordination().V1().Leases().Informer(),
		"Event":     factory.Events().V1().Events().Informer(),
	}
	bind(client, namespace)
	spaces := informers.NewSharedInformerFactory(client, 0)
	kinds["Namespace"] = spaces.Core().V1().Namespaces().Informer()
	claims := metadatainformer.NewSharedInformerFactory(metadata.NewForConfigOrDie(config), 0)
	resource := schema.GroupVersionResource{Group: "groundplane.dev", Version: "v1alpha1", Resource: "xdatabases"}
	kinds["XDatabase"] = claims.ForResource(resource).Informer() // their metadata, which protobuf can tell
	for kind, informer := range kinds {
		_, err := informer.AddEventHandler(handler(kind))
		must(err)
	}
	factory.Start(ctx.Done())
	spaces.Start(ctx.Done())
	claims.Start(ctx.Done())
	for kind, informer := range kinds {
		if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
			say("never synced: " + kind)
		}
	}
	say("ready")
	<-ctx.Done()
}

// bind makes a binding of a policy that there is not, and deletes it.
func bind(client kubernetes.Interface, name string) {
	bindings := client.AdmissionregistrationV1().ValidatingAdmissionPolicyBindings()
	operations := admissionv1.RuleWithOperations{
		Operations: []admissionv1.OperationType{admissionv1.Create},
		Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"secrets"}},
	}
	rules := []admissionv1.NamedRuleWithOperations{{RuleWithOperations: operations}}
	made, err := bindings.Create(context.Background(), &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName:        name,
			ValidationActions: []admissionv1.ValidationAction{admissionv1.Audit},
			MatchResources:    &admissionv1.MatchResources{ResourceRules: rules},
		},
	}, metav1.CreateOptions{})
	must(err)
	say("binds", made.Spec.PolicyName, made.Spec.MatchResources.ResourceRules[0].Resources[0])
	must(bindings.Delete(context.Background(), name, metav1.DeleteOptions{}))
}

func handler(kind string) cache.ResourceEventHandlerFuncs {
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(found any) { say(kind, "ADD", named(found), value(found)) },
		UpdateFunc: func(_, found any) { say(kind, "UPDATE", named(found), value(found)) },
		DeleteFunc: func(found any) {
			if last, ok := found.(cache.DeletedFinalStateUnknown); ok {
				found = last.Obj
			}
			say(kind, "DELETE", named(found))
		},
	}
}

func named(found any) string {
	accessor, err := meta.Accessor(found)
	must(err)
	return accessor.GetName()
}

// value returns what is told of an object's content.
func value(found any) string {
	switch one := found.(type) {
	case *corev1.ConfigMap:
		return one.Data["value"]
	case *corev1.Secret:
		return fmt.Sprint(len(one.Data["value"]), " bytes")
	case *eventsv1.Event:
		return strings.Join([]string{one.Reason, one.Regarding.Kind}, " ")
	case *corev1.Namespace:
		return string(one.Status.Phase)
	}
	return ""
}

// told prints each form in which something was answered, once.
func told(next http.RoundTripper) http.RoundTripper {
	seen := map[string]bool{}
	return tripper(func(request *http.Request) (*http.Response, error) {
		answer, err := next.RoundTrip(request)
		if err == nil {
			line := fmt.Sprint("answered ", answer.Header.Get("Content-Type"))
			lock <- struct{}{}
			if !seen[line] {
				seen[line] = true
				fmt.Println(line)
			}
			<-lock
		}
		return answer, err
	})
}

type tripper func(*http.Request) (*http.Response, error)

func (t tripper) RoundTrip(request *http.Request) (*http.Response, error) { return t(request) }

var lock = make(chan struct{}, 1)

func say(words ...string) {
	lock <- struct{}{}
	fmt.Println(strings.TrimSpace(strings.Join(words, " ")))
	<-lock
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
