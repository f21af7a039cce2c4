// A Go application that reads the URI of the binding, with database/sql.
package main

import (
	"database/sql"
	"fmt"
	"log"
	"os"
	"path/filepath"

	_ "github.com/lib/pq"
)

func main() {
	orders := filepath.Join(os.Getenv("SERVICE_BINDING_ROOT"), "orders")
	read, err := os.ReadFile(filepath.Join(orders, "uri"))
	if err != nil {
		log.Fatal(err)
	}
	uri := string(read)
	database, err := sql.Open("postgres", uri+"&sslrootcert="+orders+"/certificates")
	if err != nil {
		log.Fatal(err)
	}
	defer database.Close()
	if _, err := database.Exec("INSERT INTO written VALUES ('pq')"); err != nil {
		log.Fatal(err)
	}
	var found string
	row := database.QueryRow("SELECT DISTINCT client FROM written WHERE client = 'pq'")
	if err := row.Scan(&found); err != nil {
		log.Fatal(err)
	}
	fmt.Println("read: " + found)
}
