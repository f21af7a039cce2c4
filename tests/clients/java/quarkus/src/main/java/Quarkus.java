import io.quarkus.kubernetes.service.binding.runtime.KubernetesServiceBindingConfigSourceFactory;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.sql.DriverManager;
import java.sql.SQLException;

/** What Quarkus does with a binding when an application starts: its own sources of configuration, then pgjdbc. */
public class Quarkus {
  public static void main(String[] arguments) throws SQLException {
    var configuration =
        new SmallRyeConfigBuilder()
            .addDefaultSources()
            .addDefaultInterceptors()
            // The default of the extension, which the build of an application writes into it.
            .withDefaultValue("quarkus.kubernetes-service-binding.root", "${SERVICE_BINDING_ROOT:}")
            .withSources(new KubernetesServiceBindingConfigSourceFactory())
            .build();
    var url = configuration.getValue("quarkus.datasource.jdbc.url", String.class);
    var user = configuration.getValue("quarkus.datasource.username", String.class);
    var password = configuration.getValue("quarkus.datasource.password", String.class);
    try (var connection = DriverManager.getConnection(url, user, password);
        var statement = connection.createStatement()) {
      statement.execute("INSERT INTO written VALUES ('quarkus')");
      var found =
          statement.executeQuery(
              "SELECT DISTINCT client FROM written WHERE client = 'quarkus'");
      found.next();
      System.out.println("read: " + found.getString(1));
    }
  }
}
