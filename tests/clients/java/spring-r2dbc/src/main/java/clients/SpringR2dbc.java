package clients;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.r2dbc.core.DatabaseClient;

/** A reactive Spring application: its connection factory is configured by spring-cloud-bindings alone. */
@EnableAutoConfiguration
public class SpringR2dbc {
  public static void main(String[] arguments) {
    try (var context = SpringApplication.run(SpringR2dbc.class, "--spring.main.banner-mode=off")) {
      var database = context.getBean(DatabaseClient.class);
      database.sql("INSERT INTO written VALUES ('spring-r2dbc')").then().block();
      var found =
          database
              .sql(
                  "SELECT DISTINCT client FROM written WHERE client = 'spring-r2dbc'")
              .mapValue(String.class)
              .one()
              .block();
      System.out.println("read: " + found);
    }
  }
}
