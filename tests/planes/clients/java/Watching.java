import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.io.File;
import java.util.Map;

/** Watches ConfigMaps, and keeps informers of Secrets and claims, until its input ends; each event is a line. */
public class Watching {
    public static void main(String[] words) throws Exception {
        String namespace = words[1];
        Config config = Config.fromKubeconfig(new File(words[0]));
        config.setWatchReconnectInterval(200);
        try (KubernetesClient client = new KubernetesClientBuilder().withConfig(config).build()) {
            ResourceDefinitionContext claims = new ResourceDefinitionContext.Builder()
                .withGroup("groundplane.dev").withVersion("v1alpha1").withKind("XDatabase")
                .withPlural("xdatabases").withNamespaced(true).build();
            try (Watch watch = client.configMaps().inNamespace(namespace).withLabel("seen", "yes").watch(told());
                 SharedIndexInformer<Secret> secrets =
                     client.secrets().inNamespace(namespace).withLabel("seen", "yes").inform(told("Secret"));
                 SharedIndexInformer<GenericKubernetesResource> databases =
                     client.genericKubernetesResources(claims).inNamespace(namespace).inform(told("XDatabase"))) {
                say("ready", secrets.hasSynced() && databases.hasSynced());
                while (System.in.read() >= 0) {
                    say("kept", secrets.getStore().list().size(), databases.getStore().list().size());
                }
            }
        }
    }

    private static Watcher<ConfigMap> told() {
        return new Watcher<>() {
            @Override
            public void eventReceived(Action action, ConfigMap found) {
                say("watch", action, named(found), value(found.getData()));
            }

            @Override
            public void onClose(WatcherException cause) {
                say("watch", "CLOSED", cause.getMessage());
            }

            @Override
            public void onClose() {
                say("watch", "CLOSED");
            }
        };
    }

    private static <T extends HasMetadata> ResourceEventHandler<T> told(String kind) {
        return new ResourceEventHandler<>() {
            @Override
            public void onAdd(T found) {
                say(kind, "ADD", named(found));
            }

            @Override
            public void onUpdate(T old, T found) {
                if (!old.getMetadata().getResourceVersion().equals(found.getMetadata().getResourceVersion())) {
                    say(kind, "UPDATE", named(found));
                }
            }

            @Override
            public void onDelete(T found, boolean unknown) {
                say(kind, "DELETE", named(found));
            }
        };
    }

    private static String named(HasMetadata found) {
        return found.getMetadata().getName();
    }

    private static String value(Map<String, String> data) {
        return data == null ? "" : data.getOrDefault("value", "");
    }

    private static synchronized void say(Object... words) {
        StringBuilder line = new StringBuilder();
        for (Object word : words) {
            line.append(line.length() == 0 ? "" : " ").append(word);
        }
        System.out.println(line);
    }
}
