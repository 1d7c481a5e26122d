// DynamoDB Local has no option for its address and listens on every interface. This starts it on 127.0.0.1 and a free port,
// which it writes to the file that -Dport.file names:  java -cp 'LIBS/*' DynamoLoopback.java -inMemory -sharedDb
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;

public class DynamoLoopback {
    public static void main(String[] arguments) throws Exception {
        Object server = Class.forName("software.amazon.dynamodb.services.local.main.ServerRunner")
            .getMethod("createServerFromCommandLineArgs", String[].class).invoke(null, (Object) arguments);
        Field jetty = server.getClass().getDeclaredField("server");
        jetty.setAccessible(true);
        Object connector = ((Object[]) jetty.get(server).getClass().getMethod("getConnectors").invoke(jetty.get(server)))[0];
        connector.getClass().getMethod("setHost", String.class).invoke(connector, "127.0.0.1");
        connector.getClass().getMethod("setPort", int.class).invoke(connector, 0);
        server.getClass().getMethod("start").invoke(server);
        Object port = connector.getClass().getMethod("getLocalPort").invoke(connector);
        Files.writeString(Path.of(System.getProperty("port.file")), port + "\n");
        server.getClass().getMethod("join").invoke(server);
    }
}
