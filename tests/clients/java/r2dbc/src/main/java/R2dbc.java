import io.r2dbc.spi.ConnectionFactories;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A program that reads the URI of the binding itself. */
public class R2dbc {
  public static void main(String[] arguments) throws IOException {
    var orders = Path.of(System.getenv("SERVICE_BINDING_ROOT"), "orders");
    var uri = Files.readString(orders.resolve("uri"));
    var factory =
        ConnectionFactories.get("r2dbc:" + uri + "&sslMode=verify-full&sslRootCert=" + orders + "/certificates");
    var found =
        Mono.usingWhen(
                factory.create(),
                connection ->
                    Flux.from(connection.createStatement("INSERT INTO written VALUES ('r2dbc')").execute())
                        .flatMap(result -> result.getRowsUpdated())
                        .thenMany(
                            connection
                                .createStatement("SELECT DISTINCT client FROM written WHERE client = 'r2dbc'")
                                .execute())
                        .flatMap(result -> result.map((row, metadata) -> row.get(0, String.class)))
                        .single(),
                connection -> connection.close())
            .block();
    System.out.println("read: " + found);
  }
}
