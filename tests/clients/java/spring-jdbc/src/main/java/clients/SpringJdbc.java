package clients;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.jdbc.core.JdbcTemplate;

/** A Spring application: its data source is configured by spring-cloud-bindings alone. */
@EnableAutoConfiguration
public class SpringJdbc {
  public static void main(String[] arguments) {
    try (var context = SpringApplication.run(SpringJdbc.class, "--spring.main.banner-mode=off")) {
      var database = context.getBean(JdbcTemplate.class);
      database.update("INSERT INTO written VALUES (?)", "spring-jdbc");
      var found =
          database.queryForObject(
              "SELECT DISTINCT client FROM written WHERE client = ?",
              String.class,
              "spring-jdbc");
      System.out.println("read: " + found);
    }
  }
}
